"""The problem on one machine: real gRPC servers, clients, Envoys and a connection-level balancer."""
