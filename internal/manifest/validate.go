// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/api/operation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/crd"
)

// kindSchema is what a value is held to that a file says is of one of our kinds.
type kindSchema struct{ *crd.Kind }

// fault is a problem that has no position yet.
type fault struct{ path, message string }

// admit does with a value what the API server does when it is created with
// fieldValidation=Strict, before any webhook: it drops unknown fields, sets
// defaults and the namespace, and validates. The object is nil where the value
// does not fit the Go type. The value is changed.
func (k kindSchema) admit(value map[string]any, namespace string) (client.Object, []fault) {
	meta, faults := takeMeta(value)
	if !k.Namespaced {
		meta.Namespace = ""
	} else if meta.Namespace == "" {
		meta.Namespace = namespace
	}
	tracked := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(value, k.Structural, true, tracked) {
		faults = append(faults, fault{path, unknownField(path, k.fieldsAround(path))})
	}
	k.Default(value)
	if err := objectmeta.SetObjectMeta(value, meta); err != nil {
		return nil, append(faults, fault{"metadata", err.Error()})
	}
	object, decodeFault := k.decode(value)

	delete(value, "status") // a creation cannot set it
	errs := validateMeta(meta, k.Namespaced, metavalidation.NameIsDNSSubdomain)
	errs = append(errs, k.Validate(context.Background(), value, nil)...)
	faults = append(faults, explainAll(unlessDropped(errs, faults))...)
	if decodeFault != nil && len(faults) == 0 {
		faults = append(faults, *decodeFault)
	}
	return object, faults
}

// unlessDropped leaves out that the name is missing, where it was given but is
// no text.
func unlessDropped(errs field.ErrorList, faults []fault) field.ErrorList {
	return slices.DeleteFunc(errs, func(err *field.Error) bool {
		return err.Type == field.ErrorTypeRequired && err.Field == "metadata.name" &&
			slices.ContainsFunc(faults, func(f fault) bool { return f.path == "metadata" || f.path == err.Field })
	})
}

// decode makes the typed object, without its status where that does not fit.
func (k kindSchema) decode(value map[string]any) (client.Object, *fault) {
	object := newObject[k.Name]()
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(value, object)
	if _, hasStatus := value["status"]; err != nil && hasStatus {
		without := make(map[string]any, len(value))
		for key, field := range value {
			if key != "status" {
				without[key] = field
			}
		}
		object = newObject[k.Name]()
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(without, object)
	}
	if err != nil {
		return nil, &fault{"", "it cannot be read: " + err.Error()}
	}
	return object, nil
}

// takeMeta reads the metadata and says what does not fit, which is dropped.
func takeMeta(value map[string]any) (*metav1.ObjectMeta, []fault) {
	faults := checkMetaTypes(value)
	options := objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true}
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(value, options)
	if err != nil {
		if len(faults) == 0 {
			faults = append(faults, metaFault(err))
		}
		options.DropMalformedFields = true
		if meta, _, unknown, err = objectmeta.GetObjectMetaWithOptions(value, options); err != nil {
			meta = nil // no object at all
		}
	}
	for _, path := range unknown {
		faults = append(faults, fault{path, unknownField(path, knownFields(&metav1.ObjectMeta{}, strings.TrimPrefix(path, "metadata.")))})
	}
	if meta == nil {
		meta = &metav1.ObjectMeta{}
	}
	return meta, faults
}

// checkMetaTypes finds the usual mistakes: labels that YAML takes for numbers
// or booleans.
func checkMetaTypes(value map[string]any) []fault {
	meta, isObject := value["metadata"].(map[string]any)
	if !isObject {
		if given := value["metadata"]; given != nil {
			return []fault{{"metadata", "it is " + typeName(given) + "; it must be an object with a name"}}
		}
		return nil
	}
	var faults []fault
	for _, key := range []string{"name", "generateName", "namespace"} {
		faults = append(faults, wantText("metadata."+key, meta[key])...)
	}
	for _, key := range []string{"labels", "annotations"} {
		entries, isObject := meta[key].(map[string]any)
		if !isObject && meta[key] != nil {
			faults = append(faults, fault{"metadata." + key, "it is " + typeName(meta[key]) + "; it must be an object of names and texts"})
		}
		for _, name := range sortedKeys(entries) {
			faults = append(faults, wantText("metadata."+key+"["+name+"]", entries[name])...)
		}
	}
	return faults
}

func wantText(path string, value any) []fault {
	if _, isText := value.(string); isText || value == nil {
		return nil
	}
	return []fault{{path, "it is " + typeName(value) + "; it must be text" + quoteHint(value)}}
}

// validateMeta applies the rules for names, namespaces, labels and annotations.
// A name that the API server would make up is as good as one that is given.
func validateMeta(meta *metav1.ObjectMeta, namespaced bool, name metavalidation.ValidateNameFunc) field.ErrorList {
	checked := *meta
	if checked.Name == "" && checked.GenerateName != "" {
		checked.Name = checked.GenerateName[:min(len(checked.GenerateName), 58)] + "00000" // as names.SimpleNameGenerator
	}
	return metavalidation.ValidateObjectMetaDeclaratively(context.Background(), operation.Create, &checked, nil, namespaced, name, field.NewPath("metadata"), true)
}

// metaFault is of metadata that cannot be decoded.
func metaFault(err error) fault {
	path, message := decodeError(err)
	return fault{join("metadata", path), message}
}

// oversize says when an object is larger than a request may be.
func oversize(size int) (fault, bool) {
	if size <= maxObjectSize {
		return fault{}, false
	}
	return fault{"", fmt.Sprintf("it has %d bytes, and the API server takes %d; make several of it", size, maxObjectSize)}, true
}

var errNoObject = errors.New("it is no object: it must have apiVersion, kind, metadata and spec")
