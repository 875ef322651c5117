{{- define "type" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type }}
### {{ $type.Name }}
{{ if $type.IsAlias }}
_Underlying type: {{ markdownRenderTypeLink $type.UnderlyingType }}_
{{ end }}
{{- if $type.Doc }}
{{ $type.Doc }}
{{ end }}
{{- if $type.References }}
_Appears in:_ {{ range $i, $ref := $type.SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $ref }}{{ end }}
{{ end }}
{{- if $type.Validation }}
_Validation:_
{{ range $type.Validation }}
- {{ . }}
{{- end }}
{{ end }}
{{- if $type.Members }}
| Field | Description | Default | Validation |
| --- | --- | --- | --- |
{{ if $type.GVK -}}
| `apiVersion` _string_ | `{{ $type.GVK.Group }}/{{ $type.GVK.Version }}` | | |
| `kind` _string_ | `{{ $type.GVK.Kind }}` | | |
{{ end -}}
{{ range $type.Members -}}
| `{{ .Name }}` _{{ markdownRenderType .Type }}_ | {{ template "type_members" . }} | {{ markdownRenderDefault .Default }} | {{ range $i, $rule := .Validation }}{{ if $i }}<br/>{{ end }}{{ if eq $rule "Optional: {}" }}optional{{ else if eq $rule "Required: {}" }}required{{ else }}{{ markdownRenderFieldDoc $rule }}{{ end }}{{ end }} |
{{ end -}}
{{- end }}
{{- if $type.EnumValues }}
| Value | Meaning |
| --- | --- |
{{ range $type.EnumValues -}}
| `{{ .Name }}` | {{ markdownRenderFieldDoc .Doc }} |
{{ end -}}
{{- end }}
{{- end -}}
{{- end -}}
