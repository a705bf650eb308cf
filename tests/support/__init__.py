"""What the tests share: the real command line, the sandbox it talks to, a real PostgreSQL."""
