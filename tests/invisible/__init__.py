"""Being invisible: the test suites of others, run bare and under the middleware."""
