{{- define "gvList" -}}
<!-- Generated from api/ by `make docs`. Do not edit. -->

# API reference

What every field means, what it may hold and what it is when it is left out.
{{- range . }}
{{ template "gvDetails" . }}
{{- end }}
{{ end -}}
