"""The executor node: deterministic order routing under fences."""
