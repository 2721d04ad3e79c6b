"""Carries plans out, keeps the receipt, and takes a fix back."""
