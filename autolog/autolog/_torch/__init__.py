"""Models of PyTorch, as the rooms of PyTorch and of Lightning keep them."""
