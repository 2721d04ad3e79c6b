"""The problem on one machine: real gRPC servers, clients and a connection-level balancer."""
