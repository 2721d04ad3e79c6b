"""Reasons for which a kubelet lets a container wait, and which patience seldom cures.

They are those of pkg/kubelet/images and pkg/kubelet/kuberuntime of Kubernetes, and of k8s.io/cri-api/pkg/errors.
"""

__all__ = ["HOPELESS", "OF_THE_CONTAINER", "OF_THE_IMAGE"]

OF_THE_IMAGE = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""The node does not get the image, or may not use it."""

OF_THE_CONTAINER = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
"""The node has the image, and cannot make or start a container of it."""

HOPELESS = OF_THE_IMAGE | OF_THE_CONTAINER | {"CrashLoopBackOff"}
"""A container does not start, or does not last, however long it is waited for."""
