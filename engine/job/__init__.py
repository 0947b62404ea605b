"""One invocation: a request comes in, what is ready runs, and the new state goes out."""
