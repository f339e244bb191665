//! 200 simulated agents and one command: time until the portal shows all of them done.
