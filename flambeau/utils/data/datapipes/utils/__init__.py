"""What data pipes share: `common` (files, functions of some columns), `decoder` (file contents)."""
