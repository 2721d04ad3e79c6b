"""Tells whether gRPC load sticks to a few pods of a Kubernetes Service, and why."""

__version__ = "0.1.0"
