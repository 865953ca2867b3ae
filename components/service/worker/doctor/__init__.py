"""The data doctor: what is wrong with data before anything is trained on it, and what one click would do about it."""
