"""Instances as local processes, which outlive the control plane and are taken up again by the next one."""
