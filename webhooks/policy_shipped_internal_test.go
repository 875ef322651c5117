// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Whoever applies what is shipped reads no warning, and is not refused.
func TestShippedPolicyHoldsNoSurprise(t *testing.T) {
	t.Parallel()
	var objects []client.Object
	for _, pattern := range []string{"starter-policy/*.yaml", "starter-policy/rules/*.yaml", "starter-policy/workflows/*.yaml", "samples/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join("..", "config", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			objects = append(objects, shipped(t, path)...)
		}
	}
	if len(objects) < 30 {
		t.Fatalf("only %d objects were found", len(objects))
	}
	w := newWorld(t, objects...)
	for _, object := range objects {
		if model, isModel := object.(*v1alpha1.RiskModel); isModel {
			model.Name = v1alpha1.DefaultRiskModelName // that among the samples has another, on purpose
		}
		if said, err := w.validate(t, object); len(said) > 0 || err != nil {
			t.Errorf("%T %s: %v, %v", object, object.GetName(), said, err)
		}
	}
}

// shipped reads the policy in a file.
func shipped(t *testing.T, path string) (objects []client.Object) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for documents := utilyaml.NewYAMLReader(bufio.NewReader(file)); ; {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if object := decoded(t, text); object != nil {
			objects = append(objects, object)
		}
	}
}

// decoded is one document; nil where it is no policy.
func decoded(t *testing.T, text []byte) client.Object {
	t.Helper()
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(text, &kind); err != nil {
		t.Fatal(err)
	}
	made, err := testScheme(t).New(v1alpha1.GroupVersion.WithKind(kind.Kind))
	object, isObject := made.(client.Object)
	if _, isAction := made.(*v1alpha1.AgentAction); err != nil || !isObject || isAction {
		return nil
	}
	if err := yaml.Unmarshal(text, object); err != nil {
		t.Fatal(err)
	}
	if _, ofCluster := object.(*v1alpha1.RiskModel); !ofCluster && object.GetNamespace() == "" {
		object.SetNamespace(v1alpha1.GlobalNamespace)
	}
	object.SetUID(types.UID("uid-of-" + object.GetName()))
	object.SetGeneration(1)
	return object
}

func (w *world) validate(t *testing.T, object client.Object) (admission.Warnings, error) {
	t.Helper()
	switch o := object.(type) {
	case *v1alpha1.SmartRule:
		return smartRules(w.options, w.refs).ValidateCreate(t.Context(), o)
	case *v1alpha1.ApprovalWorkflow:
		return approvalWorkflows(w.options).ValidateCreate(t.Context(), o)
	case *v1alpha1.Agent:
		return agents(w.refs).ValidateCreate(t.Context(), o)
	case *v1alpha1.RiskModel:
		return riskModels().ValidateCreate(t.Context(), o)
	case *v1alpha1.WebhookSubscription:
		return validatorOf(w).ValidateCreate(writing(t.Context(), admissionv1.Create), o)
	default:
		t.Fatalf("no validator for %T", object)
		return nil, nil
	}
}
