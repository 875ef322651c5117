// SPDX-License-Identifier: Apache-2.0

// Package crd holds objects to our CRDs as an API server does.
package crd

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/config"
)

// Kind is what the API server makes of the CRD of a kind.
type Kind struct {
	Name       string
	Namespaced bool
	Structural *structuralschema.Structural
	schema     validation.SchemaValidator
	// rules compiles the expressions when it is first called, which takes a while;
	// nil where no field has any.
	rules func() *cel.Validator
}

// kinds hold one Kind for each of ours, made when it is first asked for.
var kinds = sync.OnceValues(func() (map[string]func() (*Kind, error), error) {
	definitions, err := config.CustomResourceDefinitions()
	if err != nil {
		return nil, err
	}
	byKind := map[string]func() (*Kind, error){}
	for _, definition := range definitions {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(definition.Object, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", definition.GetName(), err)
		}
		byKind[crd.Spec.Names.Kind] = sync.OnceValues(func() (*Kind, error) { return newKind(&crd) })
	}
	return byKind, nil
})

// Of returns one of our kinds. An error is a fault of this program, not of what
// is held to it.
func Of(kind string) (*Kind, error) {
	byKind, err := kinds()
	if err != nil {
		return nil, fmt.Errorf("the CRDs in this program: %w", err)
	}
	if byKind[kind] == nil {
		return nil, fmt.Errorf("there is no CRD of %s in this program", kind)
	}
	known, err := byKind[kind]()
	if err != nil {
		return nil, fmt.Errorf("the CRD of %s in this program: %w", kind, err)
	}
	return known, nil
}

func newKind(crd *apiextensionsv1.CustomResourceDefinition) (*Kind, error) {
	k := &Kind{Name: crd.Spec.Names.Kind, Namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped}
	for _, version := range crd.Spec.Versions {
		if version.Name != v1alpha1.GroupVersion.Version || version.Schema == nil {
			continue
		}
		var internal apiextensions.CustomResourceValidation
		if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, &internal, nil); err != nil {
			return nil, err
		}
		var err error
		if k.Structural, err = structuralschema.NewStructural(internal.OpenAPIV3Schema); err != nil {
			return nil, err
		}
		if err := defaulting.PruneDefaults(k.Structural); err != nil {
			return nil, err
		}
		if k.schema, _, err = validation.NewSchemaValidator(internal.OpenAPIV3Schema); err != nil {
			return nil, err
		}
		k.rules = sync.OnceValue(func() *cel.Validator { return cel.NewValidator(k.Structural, true, celconfig.PerCallLimit) })
		return k, nil
	}
	return nil, fmt.Errorf("it has no schema of version %s", v1alpha1.GroupVersion.Version)
}

// Default sets what a value leaves out.
func (k *Kind) Default(value map[string]any) {
	defaulting.PruneNonNullableNullsWithoutDefaults(value, k.Structural)
	defaulting.Default(value, k.Structural)
}

// Validate says what is wrong with a value, beyond its metadata; old is what it
// changes, nil where it is new. Unknown fields are none of its concern.
func (k *Kind) Validate(ctx context.Context, value, old map[string]any) field.ErrorList {
	errs := validation.ValidateCustomResource(nil, value, k.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.Structural, value)...)
	if blocks(errs) {
		return errs
	}
	var before any // a nil map in it would pass for an object
	if old != nil {
		before = old
	}
	if rules := k.rules(); rules != nil {
		broken, _ := rules.Validate(ctx, nil, k.Structural, value, before, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	return errs
}

// blocks says whether the API server leaves expressions alone for what is wrong
// already: they might fail for that alone.
func blocks(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}
