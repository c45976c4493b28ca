"""The second opinion: of a world in step, and of what was planted behind the pipeline's back."""
