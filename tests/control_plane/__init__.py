"""A real Kubernetes control plane for the tests of the Kubernetes adapter, where its programs are at hand.

`KUBEBUILDER_ASSETS`, as Kubernetes' own test tools call it, names a folder with `etcd`, `kube-apiserver` and
`kube-controller-manager`. No control plane has a node: `node.py` is two, with the stand-in's kubelet.
"""
