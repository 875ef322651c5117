{{- define "gvDetails" -}}
{{- $gv := . }}
## {{ $gv.GroupVersionString }}

{{ $gv.Doc }}
{{- if $gv.Kinds }}
| Kind | What it is |
| --- | --- |
{{ range $gv.SortedKinds -}}
{{- $kind := $gv.TypeForKind . -}}
{{- if markdownShouldRenderType $kind -}}
| {{ markdownRenderTypeLink $kind }} | {{ template "summary" $kind.Doc }} |
{{ end -}}
{{- end -}}
{{ end -}}
{{- range $gv.SortedTypes -}}{{ if .GVK }}{{ template "type" . }}{{ end }}{{ end }}
{{- range $gv.SortedTypes -}}{{ if not .GVK }}{{ template "type" . }}{{ end }}{{ end }}
{{- end -}}

{{- define "summary" -}}
{{ markdownRenderFieldDoc . }}
{{- end -}}
