"""Routes by which somebody says who they are: /auth/…"""
