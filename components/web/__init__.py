"""The web side of the page: who asks, what they may send and see, and what browsers are told."""
