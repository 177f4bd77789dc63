"""The exercises, one module a lesson: what is right, and which ideas lie behind what is wrong."""
