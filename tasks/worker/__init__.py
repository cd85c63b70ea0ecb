"""The process that carries runs out: it claims, counts, ends and rescues them, and beats."""
