"""The assistant's shell: reading a home for an answer, proposals, and the one gate to a language model."""
