"""Who someone is: sign-up, sign-in, sessions, API tokens."""
