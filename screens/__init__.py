"""What a person sees: one file a screen, shared parts in screens/widgets/. Nothing here is read from anywhere but the database."""
