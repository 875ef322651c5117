// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/config"
)

// kindSchema is what the API server makes of the CRD of a kind.
type kindSchema struct {
	kind       string
	namespaced bool
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator // nil where no field has any
}

// schemas hold one kindSchema for each of our kinds, made when it is first
// asked for: the expressions in a CRD take a while to compile.
var schemas = sync.OnceValues(func() (map[string]func() (*kindSchema, error), error) {
	definitions, err := config.CustomResourceDefinitions()
	if err != nil {
		return nil, err
	}
	byKind := map[string]func() (*kindSchema, error){}
	for _, definition := range definitions {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(definition.Object, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", definition.GetName(), err)
		}
		byKind[crd.Spec.Names.Kind] = sync.OnceValues(func() (*kindSchema, error) { return newKindSchema(&crd) })
	}
	return byKind, nil
})

// schemaOf returns the schema of one of our kinds. An error is a fault of this
// program, not of a file.
func schemaOf(kind string) (*kindSchema, error) {
	byKind, err := schemas()
	if err != nil {
		return nil, fmt.Errorf("the CRDs in this program: %w", err)
	}
	if byKind[kind] == nil {
		return nil, fmt.Errorf("there is no CRD of %s in this program", kind)
	}
	schema, err := byKind[kind]()
	if err != nil {
		return nil, fmt.Errorf("the CRD of %s in this program: %w", kind, err)
	}
	return schema, nil
}

func newKindSchema(crd *apiextensionsv1.CustomResourceDefinition) (*kindSchema, error) {
	k := &kindSchema{kind: crd.Spec.Names.Kind, namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped}
	for _, version := range crd.Spec.Versions {
		if version.Name != v1alpha1.GroupVersion.Version || version.Schema == nil {
			continue
		}
		var internal apiextensions.CustomResourceValidation
		if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, &internal, nil); err != nil {
			return nil, err
		}
		var err error
		if k.structural, err = structuralschema.NewStructural(internal.OpenAPIV3Schema); err != nil {
			return nil, err
		}
		if err := defaulting.PruneDefaults(k.structural); err != nil {
			return nil, err
		}
		if k.schema, _, err = validation.NewSchemaValidator(internal.OpenAPIV3Schema); err != nil {
			return nil, err
		}
		k.rules = cel.NewValidator(k.structural, true, celconfig.PerCallLimit)
		return k, nil
	}
	return nil, fmt.Errorf("it has no schema of version %s", v1alpha1.GroupVersion.Version)
}
