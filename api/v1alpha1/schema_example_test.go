// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// example is a kind with a valid spec in YAML. The tables of this suite change
// one thing about it and see what the API server says.
type example struct {
	kind string //nolint:kubeapilinter // not part of the API
	spec string //nolint:kubeapilinter // not part of the API
}

// with returns the example as a new object. change is a merge patch of the
// spec in YAML: null takes a field away, a list is replaced as a whole.
func (e example) with(change string) *unstructured.Unstructured {
	GinkgoHelper()
	spec, err := jsonpatch.MergePatch(toJSON(e.spec), toJSON(change))
	Expect(err).NotTo(HaveOccurred())
	object := &unstructured.Unstructured{}
	Expect(object.UnmarshalJSON(fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"spec":%s}`,
		v1alpha1.GroupVersion, e.kind, spec))).To(Succeed())
	object.SetGenerateName("example-")
	return object
}

// refuses is the body of a table: the API server refuses the change with this
// message, and takes the valid neighbour.
func (e example) refuses() func(ctx SpecContext, change, message, neighbour string) {
	return func(ctx SpecContext, change, message, neighbour string) {
		Expect(try(ctx, e.with(change))).To(MatchError(ContainSubstring(message)))
		Expect(try(ctx, e.with(neighbour))).To(Succeed())
	}
}

// defaults returns what the API server makes of the example, changed, as YAML.
func (e example) defaults(ctx context.Context, change string) string {
	GinkgoHelper()
	object := e.with(change)
	Expect(try(ctx, object)).To(Succeed())
	return specOf(object)
}

// create stores the example as it is.
func (e example) create(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	object := e.with(`{}`)
	Expect(api.Create(ctx, object)).To(Succeed())
	return object
}

// try creates the object without storing it, as strictly as kubectl does.
//
// What the API server takes, the Go types must be able to read: one object
// that they cannot read would stop the operator's watch of the whole kind.
func try(ctx context.Context, object *unstructured.Unstructured) error {
	GinkgoHelper()
	if err := api.Create(ctx, object, client.DryRunAll, client.FieldValidation("Strict")); err != nil {
		return err
	}
	toTyped(object)
	return nil
}

// patch changes a stored object by a merge patch in YAML.
func patch(ctx context.Context, object client.Object, change string) error {
	GinkgoHelper()
	return api.Patch(ctx, object, mergePatch(change))
}

// patchStatus changes a stored object's status by a merge patch in YAML.
func patchStatus(ctx context.Context, object client.Object, change string) error {
	GinkgoHelper()
	return api.Status().Patch(ctx, object, mergePatch(string(fmt.Appendf(nil, `{"status":%s}`, toJSON(change)))))
}

func mergePatch(change string) client.Patch {
	GinkgoHelper()
	return client.RawPatch(types.MergePatchType, toJSON(change))
}

func specOf(object *unstructured.Unstructured) string {
	GinkgoHelper()
	text, err := yaml.Marshal(object.Object["spec"])
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func toJSON(text string) []byte {
	GinkgoHelper()
	result, err := yaml.YAMLToJSON([]byte(text))
	Expect(err).NotTo(HaveOccurred())
	return result
}

// long returns a word of n letters.
func long(n int) string { return strings.Repeat("x", n) }

// many returns a YAML list of n items, written by a format with one %d.
func many(n int, format string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(format, i)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// fieldsOf returns the JSON names of a struct's fields.
func fieldsOf(object any) []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(object)) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
