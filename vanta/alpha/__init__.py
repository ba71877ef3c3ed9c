"""The control plane: explanation, verification, operator tools."""
