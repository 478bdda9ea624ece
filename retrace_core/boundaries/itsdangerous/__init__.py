"""itsdangerous: what signs Flask's and Starlette's sessions."""
