"""The Textual application: one package for each screen, shared widgets in screens/widgets/.

Screens show only what a poll read from the database.
"""
