"""Who may do what, who is told what, and what each has set up."""
