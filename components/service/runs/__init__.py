"""Fine-tuning runs: what is asked for, the folder that is the run, the process that trains, who looks after it."""
