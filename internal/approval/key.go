// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Key names an ApprovalWorkflow. The zero Key stands for no workflow at all.
type Key struct{ Namespace, Name string }

// String returns "namespace/name", or "" for the zero Key.
func (k Key) String() string {
	if k == (Key{}) {
		return ""
	}
	return k.Namespace + "/" + k.Name
}

// Global says whether the workflow is in the operator's own namespace.
func (k Key) Global() bool { return k.Namespace == v1alpha1.GlobalNamespace }

// Compare orders keys: global ones first, then by namespace, then by name.
func (k Key) Compare(other Key) int {
	return cmp.Or(
		cmp.Compare(scope(k), scope(other)),
		cmp.Compare(k.Namespace, other.Namespace),
		cmp.Compare(k.Name, other.Name),
	)
}

func scope(k Key) int {
	if k.Global() {
		return 0
	}
	return 1
}
