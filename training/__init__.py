import sys

# It forks the process to report each conversion, whatever OPENVINO_TELEMETRY says; OpenVINO and NNCF go on without it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
