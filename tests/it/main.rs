//! All whole-portal tests in one binary.
