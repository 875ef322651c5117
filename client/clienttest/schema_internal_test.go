// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The rules of the CRDs about changes hold, too: admission alone would hide it if
// they did not.
func TestValidKnowsWhatIsChanged(t *testing.T) {
	now := metav1.NowMicro()
	old := &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-1"},
		Spec:       v1alpha1.AgentActionSpec{AgentRef: v1alpha1.LocalReference{Name: "agent"}, ActionType: "database_read"},
		Status:     v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionApproved, DecidedAt: &now},
	}
	if err := valid(old, old); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	changed := old.DeepCopy()
	changed.Spec.Cancelled = true
	if err := valid(changed, old); err == nil || !strings.Contains(err.Error(), "can no longer be cancelled") {
		t.Errorf("changed: %v", err)
	}
}
