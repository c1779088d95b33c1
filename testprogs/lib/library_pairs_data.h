/* Databases and documents. Those with a server have programs of their own. */
#ifndef TESTPROGS_LIBRARY_PAIRS_DATA_H
#define TESTPROGS_LIBRARY_PAIRS_DATA_H

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>

/* What one may do as often as one likes: finalize nothing, reset what is reset. */
static void sqlite_all(bool gives_back)
{
	sqlite3 *db, *copy;
	sqlite3_stmt *query;
	sqlite3_blob *blob;
	char **table;
	int rows, columns;
	if (sqlite3_open(":memory:", &db) != SQLITE_OK || sqlite3_open(":memory:", &copy) != SQLITE_OK ||
	    sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES('x'),('y')", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT a FROM t", -1, &query, NULL) != SQLITE_OK ||
	    sqlite3_blob_open(db, "main", "t", "a", 1, 0, &blob) != SQLITE_OK ||
	    sqlite3_get_table(db, "SELECT a FROM t", &table, &rows, &columns, NULL) != SQLITE_OK)
		exit(1);
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");
	sqlite3_step(query);
	if (gives_back) {
		sqlite3_backup_finish(backup);
		sqlite3_blob_close(blob);
		sqlite3_free_table(table);
		sqlite3_reset(query);
		sqlite3_reset(query);
		sqlite3_finalize(query);
		sqlite3_finalize(NULL);
		sqlite3_close(db);
		sqlite3_close(copy);
	}
}

#define PLANTS_SQLITE \
	PLANT(sqlite_all, "SQLite connection,SQLite statement,SQLite,SQLite blob,SQLite table,SQLite " \
			  "backup")
#else
#define PLANTS_SQLITE
#endif

#if __has_include(<libxml/parser.h>)
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <libxml/xpath.h>

static void xml_document(bool gives_back)
{
	static const char text[] = "<a><b/></a>";
	xmlDocPtr document = xmlReadMemory(text, sizeof text - 1, NULL, NULL, 0);
	xmlXPathContextPtr context = xmlXPathNewContext(document);
	xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)"//b", context);
	if (gives_back) {
		xmlXPathFreeObject(found);
		xmlXPathFreeContext(context);
		xmlFreeDoc(document);
	}
}

static void xml_reader(bool gives_back)
{
	static const char text[] = "<a/>";
	xmlTextReaderPtr reader = xmlReaderForMemory(text, sizeof text - 1, NULL, NULL, 0);
	xmlParserCtxtPtr parser = xmlNewParserCtxt();
	if (gives_back) {
		xmlFreeParserCtxt(parser);
		xmlFreeTextReader(reader);
	}
}

#define PLANTS_XML \
	PLANT(xml_document, "XML document,XPath context,XPath result") \
	PLANT(xml_reader, "XML reader,XML parser")
#else
#define PLANTS_XML
#endif

#if __has_include(<glib.h>)
#include <glib.h>

static void glib_directory(bool gives_back)
{
	GDir *directory = g_dir_open("/", 0, NULL);
	if (directory && gives_back)
		g_dir_close(directory);
}

#define PLANTS_GLIB PLANT(glib_directory, "GDir")
#else
#define PLANTS_GLIB
#endif

#if __has_include(<mysql.h>)
#include <mysql.h>

static void mysql_handles(bool gives_back)
{
	MYSQL *connection = mysql_init(NULL);
	MYSQL_STMT *statement = mysql_stmt_init(connection);
	if (gives_back) {
		mysql_stmt_close(statement);
		mysql_close(connection);
	}
}

#define PLANTS_MYSQL PLANT(mysql_handles, "MySQL connection,MySQL statement")
#else
#define PLANTS_MYSQL
#endif

#define PLANTS_DATA PLANTS_SQLITE PLANTS_XML PLANTS_GLIB PLANTS_MYSQL

#endif
