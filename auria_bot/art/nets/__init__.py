"""The torch modules, one file a net; imported for training and CUDA only."""
