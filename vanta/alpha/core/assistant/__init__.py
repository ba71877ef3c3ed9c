"""What the assistant answers, as pure rules over records that were read."""
