"""The command line of an operator: it talks to the control plane over gRPC, and to nothing else."""
