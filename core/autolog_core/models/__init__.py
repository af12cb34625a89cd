"""The model directory: manifest, signature, input example, environment, and who may load it.

Its layout is MLflow's, so each side loads what the other wrote. Nothing here knows a framework.
"""
