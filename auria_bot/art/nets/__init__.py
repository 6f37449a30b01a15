"""The torch modules, one file for each network; imported only for training, evaluation and export."""
