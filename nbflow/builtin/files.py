"""The tasks on files, wherever they lie: HTTP, servers, conversions, archives."""

from __future__ import annotations

from nbflow.builtin.naming import CORE, OLD, named

_SERDES = "io.kestra.plugin.serdes"


def _serdes(target: str, name: str, *aliases: str, old: str = "") -> dict[str, str]:
    """A conversion of files, such as `csv.CsvToIon`; `old` is its older name."""
    older = (f"{_SERDES}.{name.partition('.')[0]}.{old}",) if old else ()
    return named(f"nbflow.tasks.serdes.{target}", f"{_SERDES}.{name}", *aliases, *older)


def _places(kind: str, *more: str) -> dict[str, str]:
    """The tasks on files of one kind of server, such as `sftp`."""
    names = ("Download", "Downloads", "Upload", "Uploads", "List", "Move", "Delete", *more)
    return {
        alias: f"nbflow.tasks.fs.{kind}:{name}"
        for name in names
        for alias in (f"io.kestra.plugin.fs.{kind}.{name}", f"{kind}_{name.lower()}")
    }


FILES: dict[str, str] = {
    **named(
        "nbflow.tasks.http.request:Request",
        f"{CORE}.http.Request",
        "http",
        "request",
        f"{OLD}.http.Request",
        "io.kestra.plugin.fs.http.Request",
    ),
    **named(
        "nbflow.tasks.http.download:Download",
        f"{CORE}.http.Download",
        "download",
        f"{OLD}.http.Download",
        "io.kestra.plugin.fs.http.Download",
    ),
    **named("nbflow.tasks.http.sse:SseRequest", f"{CORE}.http.SseRequest", "sse"),
    **_places("local", "Copy"),
    **_places("sftp"),
    **_places("ftp"),
    **_places("ftps"),
    **named("nbflow.tasks.fs.ssh:Command", "io.kestra.plugin.fs.ssh.Command", "ssh"),
    **{
        alias: f"nbflow.tasks.fs.anywhere:{name}"
        for name in ("Download", "Downloads", "Upload", "Uploads", "List", "Move", "Copy", "Delete")
        for alias in (f"nbflow.fs.{name}", f"fs_{name.lower()}")
    },
    **_serdes("csv_files:CsvToIon", "csv.CsvToIon", "csv_to_ion", old="CsvReader"),
    **_serdes("csv_files:IonToCsv", "csv.IonToCsv", "ion_to_csv", old="CsvWriter"),
    **_serdes("json_files:JsonToIon", "json.JsonToIon", "json_to_ion", old="JsonReader"),
    **_serdes("json_files:IonToJson", "json.IonToJson", "ion_to_json", old="JsonWriter"),
    **_serdes("json_files:JsonToJsonl", "json.JsonToJsonl", "json_to_jsonl"),
    **_serdes("yaml_files:YamlToIon", "yaml.YamlToIon", "yaml_to_ion"),
    **_serdes("yaml_files:IonToYaml", "yaml.IonToYaml", "ion_to_yaml"),
    **_serdes("yaml_files:YamlToJson", "yaml.YamlToJson", "yaml_to_json"),
    **_serdes("yaml_files:JsonToYaml", "yaml.JsonToYaml", "json_to_yaml"),
    **_serdes("excel:ExcelToIon", "excel.ExcelToIon", "excel_to_ion"),
    **_serdes("excel:IonToExcel", "excel.IonToExcel", "ion_to_excel"),
    **_serdes("parquet:ParquetToIon", "parquet.ParquetToIon", "parquet_to_ion", old="ParquetReader"),
    **_serdes("parquet:IonToParquet", "parquet.IonToParquet", "ion_to_parquet", old="ParquetWriter"),
    **_serdes("avro:AvroToIon", "avro.AvroToIon", "avro_to_ion", old="AvroReader"),
    **_serdes("avro:IonToAvro", "avro.IonToAvro", "ion_to_avro", old="AvroWriter"),
    **_serdes("avro:InferAvroSchemaFromIon", "avro.InferAvroSchemaFromIon", "infer_avro_schema"),
    **_serdes("xml_files:XmlToIon", "xml.XmlToIon", "xml_to_ion", old="XmlReader"),
    **_serdes("xml_files:IonToXml", "xml.IonToXml", "ion_to_xml", old="XmlWriter"),
    **_serdes("markdown:MarkdownToHtml", "markdown.MarkdownToHtml", "markdown_to_html"),
    **_serdes("markdown:MarkdownToText", "markdown.MarkdownToText", "markdown_to_text"),
    **named("nbflow.tasks.compress.files:FileCompress", "io.kestra.plugin.compress.FileCompress", "compress"),
    **named("nbflow.tasks.compress.files:FileDecompress", "io.kestra.plugin.compress.FileDecompress", "decompress"),
    **named("nbflow.tasks.compress.archives:ArchiveCompress", "io.kestra.plugin.compress.ArchiveCompress", "archive"),
    **named(
        "nbflow.tasks.compress.archives:ArchiveDecompress", "io.kestra.plugin.compress.ArchiveDecompress", "unarchive"
    ),
}
"""Name → class."""
