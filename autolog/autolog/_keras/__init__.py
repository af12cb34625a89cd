"""What the rooms of Keras and TensorFlow share: models of Keras as files, and back."""
