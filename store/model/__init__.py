"""What there is: tables, column types, and the frozen records that rows become."""
