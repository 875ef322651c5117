// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/google/cel-go/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
)

// The variables of expressions.
const (
	varAction    = "action"
	varAgent     = "agent"
	varRisk      = "risk"
	varRequester = "requester"
	varNamespace = "namespaceObject"
	varNow       = "now"
)

// How much an expression can read from one variable or field, in bytes, where
// it is more than defaultBytes. They bound what an expression can build.
const (
	defaultBytes = 4 << 10
	// jsonBytes is request.MaxObjectBytes.
	jsonBytes = 64 << 10
	// metadataBytes is the API server's limit for annotations.
	metadataBytes = 256 << 10
	// groupBytes is 128 groups of 256 characters.
	groupBytes = 128 << 10
	// descriptionBytes is 4,096 characters.
	descriptionBytes = 16 << 10
)

// variable is a typed variable of expressions.
type variable struct {
	name   string
	fields []variableField // none: a timestamp
}

type variableField struct {
	name   string
	typ    *apiservercel.DeclType
	bytes  float64
	fields []variableField // of a nested object
}

var (
	textType    = apiservercel.StringType
	numberType  = apiservercel.DoubleType
	boolType    = apiservercel.BoolType
	timeType    = apiservercel.TimestampType
	textList    = apiservercel.NewListType(apiservercel.StringType, -1)
	textMap     = apiservercel.NewMapType(apiservercel.StringType, apiservercel.StringType, -1)
	anyValueMap = apiservercel.NewMapType(apiservercel.StringType, apiservercel.DynType, -1)
)

// variables are all that expressions can read.
var variables = []variable{
	{name: varAction, fields: []variableField{
		{name: "namespace", typ: textType},
		{name: "name", typ: textType},
		{name: "uid", typ: textType},
		{name: "labels", typ: textMap, bytes: metadataBytes},
		{name: "annotations", typ: textMap, bytes: metadataBytes},
		{name: "agent", typ: textType},
		{name: "actionType", typ: textType},
		{name: "description", typ: textType, bytes: descriptionBytes},
		{name: "resource", typ: textType, bytes: jsonBytes},
		{name: "resources", typ: textList, bytes: 2 * jsonBytes},
		{name: "parameters", typ: anyValueMap, bytes: jsonBytes},
		{name: "context", typ: anyValueMap, bytes: jsonBytes},
		{name: "dataClassification", typ: textType},
		{name: "submittedAt", typ: timeType},
	}},
	{name: varAgent, fields: []variableField{
		{name: "namespace", typ: textType},
		{name: "name", typ: textType},
		{name: "labels", typ: textMap, bytes: metadataBytes},
		{name: "annotations", typ: textMap, bytes: metadataBytes},
		{name: "displayName", typ: textType},
		{name: "type", typ: textType},
		{name: "environment", typ: textType},
		{name: "owner", typ: textType},
		{name: "state", typ: textType},
	}},
	{name: varRisk, fields: []variableField{
		{name: "score", typ: numberType},
		{name: "level", typ: textType},
		{name: "vector", typ: textType},
		{name: "baseScore", typ: numberType},
		{name: "classifications", typ: textList, bytes: jsonBytes},
		{name: "environments", typ: textList},
		{name: "offHours", typ: boolType},
	}},
	{name: varRequester, fields: []variableField{
		{name: "username", typ: textType},
		{name: "uid", typ: textType},
		{name: "groups", typ: textList, bytes: groupBytes},
	}},
	{name: varNamespace, fields: []variableField{
		{name: "metadata", fields: []variableField{
			{name: "name", typ: textType},
			{name: "labels", typ: textMap, bytes: metadataBytes},
			{name: "annotations", typ: textMap, bytes: metadataBytes},
		}},
	}},
	{name: varNow},
}

// typePrefix begins the names of the variables' types.
const typePrefix = "ascend."

// declare returns the types of the variables and the options that declare them.
func declare() (types []*apiservercel.DeclType, options []cel.EnvOption) {
	for _, v := range variables {
		typ := timeType
		if len(v.fields) > 0 {
			typ = objectType(typePrefix+v.name, v.fields)
			types = append(types, typ)
		}
		options = append(options, cel.Variable(v.name, typ.CelType()))
	}
	return types, options
}

func objectType(name string, fields []variableField) *apiservercel.DeclType {
	declared := make(map[string]*apiservercel.DeclField, len(fields))
	for _, f := range fields {
		typ := f.typ
		if typ == nil {
			typ = objectType(name+"."+f.name, f.fields)
		}
		declared[f.name] = apiservercel.NewDeclField(f.name, typ, true, nil, nil)
	}
	return apiservercel.NewObjectType(name, declared)
}

// readable is how many bytes an expression can read at a path, which begins
// with the name of a variable. Beyond the fields that are declared it is what
// the last of them holds.
func readable(path []string) (bytes float64, found bool) {
	for _, v := range variables {
		if v.name == path[0] {
			return readableField(v.fields, path[1:]), true
		}
	}
	return 0, false
}

func readableField(fields []variableField, path []string) float64 {
	sum := 0.0
	for _, f := range fields {
		size := max(f.bytes, defaultBytes)
		if len(f.fields) > 0 {
			size = readableField(f.fields, path[min(1, len(path)):])
		}
		if len(path) > 0 && path[0] == f.name {
			return size
		}
		sum += size
	}
	return max(sum, 1)
}
