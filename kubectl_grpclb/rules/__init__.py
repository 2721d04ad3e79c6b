"""Findings: one rule and one page each, and the analysis that turns facts into a report."""
