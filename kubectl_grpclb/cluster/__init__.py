"""The only way out: a Kubernetes cluster or this machine, behind one port."""
