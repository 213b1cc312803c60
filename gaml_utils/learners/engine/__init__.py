"""What all learners run on: functions of explicit parameters, meta-batches, the training loop, saving."""
