"""The Envoy bundle: its configuration, its manifests, and the plan that puts it before a Service."""
