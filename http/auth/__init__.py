"""Routes for authentication: /auth/…"""
