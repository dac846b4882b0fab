"""What comes out of a plan: one module a form, each a pure function from the plan to text; `files` writes them."""
